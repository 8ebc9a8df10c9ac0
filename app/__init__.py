"""The desktop program: shows and steers what `sadinet` computes, and has no vision code of its own."""
