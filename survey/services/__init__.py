"""What is done: verbs that take the session and the time, check the rule first, and flush.

The caller commits. A refusal is an exception from `survey.errors`.
"""
