"""Many files: plan, ledger, runner, report, cluster."""
