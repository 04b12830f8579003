"""The ASGI side of GANscope: live data, artefacts, access rules, start and stop. No torch, no scripts."""
