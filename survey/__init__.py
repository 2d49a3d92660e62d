"""Who asks whom, and when: the web application, its data and its commands."""
