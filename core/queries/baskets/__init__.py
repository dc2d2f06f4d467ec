"""Questions about many codes at once: a payer × code matrix, an index per payer, a clinic against its market."""
