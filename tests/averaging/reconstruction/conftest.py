from portal_stand_in import clients, portal, running_portal

__all__ = ["clients", "portal", "running_portal"]
