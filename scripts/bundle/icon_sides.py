"""The sides of the icon that menus ask for, in pixels."""

SIDES = (16, 24, 32, 48, 64, 128, 256, 512)
