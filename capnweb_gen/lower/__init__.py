"""Lowering: from the IR to views, which the templates print as they are.

Every decision about generated code is made here: `layout` lays out lines · `scope` spells names and collects imports
· `spelling` spells types · `members` and `blocking` make parts · `views` are the result · `module` puts it together.
"""
