"""Speed, memory and start-up of the engine and of its peers, side by side, each in processes of its own."""
