"""Messages to recipients: their words, the drivers that carry them, and the thread that sends."""
