"""The pages of the hub, in French: fleet, site, parcel, alerts, messages.

Owns what people see and type. Refuses to know SQL, MQTT and the rules of parcels: it asks the reads and services of
`hub.sites`, `hub.parcels`, `hub.alerts` and `hub.people`. Every page works without JavaScript, by reloading it.
"""
