"""What shows how a session comes to be as it is: its messages in words, what it holds, and who made that. Rule: nothing
here is imported before somebody asks, and nothing here can fail a session.
"""
