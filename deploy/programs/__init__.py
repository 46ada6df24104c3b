"""The real programs beside our own processes, where the machine has them: Prometheus, Alertmanager, Jaeger, Grafana.

`selection` finds them and gives them a place in a topology; each has a module of its name, which the supervisor starts as it
starts our processes: it writes the program's configuration from what is running, and becomes the program.
"""
