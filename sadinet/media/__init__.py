"""Reading and writing of video and pictures."""
