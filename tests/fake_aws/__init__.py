"""A fake of AWS for what nothing emulates. The SDK's own service models decide what may be asked and what may be answered."""
