"""The microservice chassis: technical, free of the shop's domain, knowing no service.

It gives a service its settings, its life cycle, its listeners, its clients and the one seam
through which every outbound call goes.
"""
