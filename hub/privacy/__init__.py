"""What is known of recipients: for how long, what exactly, and how it is erased."""
