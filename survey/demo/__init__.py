"""The demonstration: the whole way on invented people, through real mails and real pages."""
