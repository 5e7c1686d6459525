//! What a server says of itself.

/// The answer to INFO.
pub(super) struct Info<'a>(pub(super) &'a str);

impl<'a> Info<'a> {
    /// A field, or "" if there is none.
    pub(super) fn field(&self, name: &str) -> &'a str {
        let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
        self.0.lines().find_map(value).map_or("", str::trim)
    }

    /// Which version of Redis it is, or is compatible with.
    pub(super) fn version(&self) -> Option<(u32, u32)> {
        let mut numbers = self.field("redis_version").split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    /// What it is, and which version of that.
    pub(super) fn name_and_version(&self) -> String {
        match self.field("server_name") {
            "valkey" => format!("valkey {}", self.field("valkey_version")),
            _ => format!("redis {}", self.field("redis_version")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_called_by_its_name() {
        let redis = Info("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n");
        assert_eq!(redis.name_and_version(), "redis 7.0.15");
        let valkey = Info("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n");
        assert_eq!(valkey.name_and_version(), "valkey 8.0.1");
        assert_eq!(valkey.version(), Some((7, 2)));
    }
}
