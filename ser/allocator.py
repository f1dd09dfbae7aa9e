def keep_freed_memory(): return False
