"""Routers that run FRR, as a `Network`: what they say of themselves, and hands on their configuration.

Everything is asked of the routers through `vtysh`, and is checked before it is believed: a router that is silent, or
that answers half, gives no readings. A router does not refuse a second sending, so this network is not `keyed`.

- `access` says where routers are; `vty` speaks to one of them, `reports` reads what it says.
- `discovery` makes an inventory from OSPF's database and the interfaces.
- `collector` samples the routers and `probes` the ways between them; `conditions` says which alarms hold, `items`
  puts all of it into the words of the feed.
- `orders` turns an action into lines of configuration, and `changes` carries them out: dry run, save, apply,
  read back, put back.
- `network` is the port.
"""
