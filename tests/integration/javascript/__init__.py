"""What JavaScript programs send, sent by them; without node and npm these tests are skipped and say so."""
