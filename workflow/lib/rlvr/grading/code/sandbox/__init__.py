"""Programs that a model wrote, run against tests without trusting them; ``launch.run_tests`` is the way in.

Four processes: the caller (``launch``); a server that it starts once (``server``), which walls itself off (``walls``);
and for every program two short-lived children of that server, a judge that runs the tests (``judge``) and the program
(``program``). They exchange plain values only (``values``, ``channel``).
"""
