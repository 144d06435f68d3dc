//! FakeChannel.
