"""The command line client: what is typed, as calls of a server.

`expression` reads what is typed · `described` knows what the server's interfaces say · `spelled` says it as Python does
· `literals` compares with that what is given · `plan` makes of both what is asked for, before anything is sent ·
`asking` asks · `shown` makes text of results · `completing` knows what could be typed · `editing` reads lines ·
`dialogue` is one session of questions and answers.
"""
