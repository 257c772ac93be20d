"""How the demo company gets into the database: step by step, each after the ones before it."""
