"""What a person sees, in the system's Chromium; where there is none these tests are skipped and say so."""
