"""A follower does what replfix says, word by word, and a judge that knows only SQL says whether it was true."""
