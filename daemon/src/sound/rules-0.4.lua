-- Tells programs which sink is the usual one.
load_module("default-nodes", { ["use-persistent-storage"] = false })
