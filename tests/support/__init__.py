"""Helpers that several test files share: files, fakes, tiny graphs, a Hub, servers, browsers."""
