//! What rustls says of certificates and keys, in words that say what to do.

/// What is wrong with a certificate or a key of this program's own.
pub fn explained(error: &rustls::Error) -> String {
    // rustls has no variants for these two.
    let text = error.to_string();
    if text.contains("UnsupportedCertVersion") {
        "the certificate has X.509 version 1: issue one of version 3, with the names in \
         subjectAltName (openssl: -addext subjectAltName=DNS:HOST)"
            .to_owned()
    } else if text.contains("failed to parse private key") {
        "the key is of a kind that is not supported, such as P-521 or DSA: use ECDSA with P-256 or \
         P-384, Ed25519, or RSA"
            .to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use rustls::crypto::ring::default_provider;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::sign::CertifiedKey;

    use super::*;

    /// Made by `openssl x509 -req`, without extensions.
    const VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----
MIIBJDCBywIUQBVWVr+zeKXQ7aQZV4brEoc5MzUwCgYIKoZIzj0EAwIwFDESMBAG
A1UEAwwJbG9jYWxob3N0MCAXDTI2MTIwMTA0Mzg0N1oYDzIxMDkwMTIwMDQzODQ3
WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AASON/r84Vmh3uoDMmsirmHnkDeNrDys5pWF9Nzl0QFdg8i7Lv3Qs+WVdLVmG5T4
ulvV0GMbaM0D5D7IkMen2opqMAoGCCqGSM49BAMCA0gAMEUCIHkVNrVA0WPbeP8P
6A/e/TPU4hfRzYyKpG3nrh4wlFIMAiEApCOuqadBeDL/uzrtLpdESXkGnMQpE7qx
CF9RVznmOGs=
-----END CERTIFICATE-----";
    const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXQzg19FbqJM72Q8l
p1jBaNY4mNxPp4jQ1CT2TS7AzgihRANCAASON/r84Vmh3uoDMmsirmHnkDeNrDys
5pWF9Nzl0QFdg8i7Lv3Qs+WVdLVmG5T4ulvV0GMbaM0D5D7IkMen2opq
-----END PRIVATE KEY-----";
    const P_521: &str = "\
-----BEGIN PRIVATE KEY-----
MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIAYM/xbqJgLQTv0rm4
rmBh72/QtDYyi9QiZCjB+cnL9dOlxYXR0C8UdVRR9QhhWgobRdg3L2T8zoPBYUmp
WeXprBKhgYkDgYYABAGU/Up6Z9EGplEIUYQNkIT3yHqUzznbzGlWpv8gn6LqSHFm
mLH8rOZLGAb4O0GUNiCUmh+2m07Mun5JzX2/A+HB+AGr/BhQ7YrfjySszsFtyG96
2fDTNaBGdStn7S6yl2RK3IABgnREIiNB51lGVH18McFZKGY/S6yoFxwf7h3oRr5z
nA==
-----END PRIVATE KEY-----";

    #[test]
    fn certificates_and_keys_that_are_not_supported_are_named_with_what_to_use() {
        for (key, problem) in
            [(KEY, "has X.509 version 1: issue one of version 3"), (P_521, "such as P-521")]
        {
            let certificate = CertificateDer::from_pem_slice(VERSION_1.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            let refused = CertifiedKey::from_der(vec![certificate], key, &default_provider());
            let said = explained(&refused.unwrap_err());
            assert!(said.contains(problem), "{said}");
        }
        assert_eq!(
            explained(&rustls::Error::DecryptError),
            rustls::Error::DecryptError.to_string()
        );
    }
}
