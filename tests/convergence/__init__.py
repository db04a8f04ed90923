"""The proof that ``resolve`` converges: random schemas, random work, random divergence, and a judge that is plain SQL."""
