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

    /// What it is, and which version of that. Valkey and Redict also report the version of Redis that
    /// they are compatible with.
    pub(super) fn name_and_version(&self) -> String {
        let version = |name: &str| self.field(&format!("{name}_version"));
        let name = ["valkey", "redict"].into_iter().find(|name| !version(name).is_empty());
        let name = name.unwrap_or("redis");
        format!("{name} {}", version(name))
    }

    /// Whether it is a sentinel. Each server has a name of its own for the field.
    pub(super) fn is_sentinel(&self) -> bool {
        let modes = ["redis_mode", "server_mode", "redict_mode"];
        modes.into_iter().any(|mode| self.field(mode) == "sentinel")
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
        let redict =
            Info("redict_version:7.3.6\r\nredis_version:7.2.4\r\nredict_mode:standalone\r\n");
        assert_eq!(redict.name_and_version(), "redict 7.3.6");
        assert_eq!(redict.version(), Some((7, 2)));
    }

    #[test]
    fn a_sentinel_is_found_by_the_field_of_each_server() {
        for (info, is_sentinel) in [
            ("redis_version:7.0.15\r\nredis_mode:sentinel\r\n", true),
            ("redis_version:7.2.4\r\nvalkey_version:8.1.1\r\nserver_mode:sentinel\r\n", true),
            ("redict_version:7.3.6\r\nredis_version:7.2.4\r\nredict_mode:sentinel\r\n", true),
            ("redict_version:7.3.6\r\nredis_version:7.2.4\r\nredict_mode:cluster\r\n", false),
            ("redis_version:7.0.15\r\nredis_mode:standalone\r\n", false),
        ] {
            assert_eq!(Info(info).is_sentinel(), is_sentinel, "{info}");
        }
    }
}
