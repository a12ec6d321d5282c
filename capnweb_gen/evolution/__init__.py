"""What a change of schemas does to those who have not made it yet: the IR of then beside the IR of now.

Rule: nothing is read or written here. Both sides are IR, and what comes out are findings.
"""
