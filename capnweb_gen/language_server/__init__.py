"""The language server: what editors show of schemas while they are written.

Rule: schemas are executed in a process of their own (`reader` starts it, `messages` is what is said to it), so that
whatever they do, the editor gets its answers.

`server` talks the protocol, with `protocol` to convert · `service` knows what is open and when to read again, with
`documents`, `projects` and `debounce` · `reading` is what is known of schemas, `text` a text and places in it ·
`faults`, `fixes`, `actions`, `marking` tell what is wrong and mend it · `hover` and `wire` show what a name means ·
`navigation`, `generated`, `implementations` find where it is · `rename`, `renaming`, `family` give it another.
"""
