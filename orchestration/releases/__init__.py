"""The audit, and what it lets before readers: releases, their history, and erasure from them."""
