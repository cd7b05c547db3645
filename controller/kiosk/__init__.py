"""The screens of a storage point: a program of its own that shows pictures and sends presses (design §2).

Owns pages, words, voice and printing. Refuses to decide anything: what may be done now is the lock process's to say.
"""
