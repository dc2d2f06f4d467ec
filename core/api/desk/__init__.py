"""Resources that finish a job: baskets, a clinic, the rule behind rates, workers’ compensation."""
