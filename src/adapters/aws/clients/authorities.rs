//! The certificate authorities of a person's own: a proxy that opens TLS signs with one that no system knows. As in every AWS
//! program, a bundle that is named stands in place of the system's.

use std::path::Path;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::ClientsError;

/// How a certificate begins and ends in a bundle.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A client that trusts the authorities of a bundle, and goes through the proxy of the environment as any other.
pub(super) fn client(bundle: &Path) -> Result<SharedHttpClient, ClientsError> {
    let wrong = |why: String| ClientsError::ReadAuthorities { path: bundle.to_owned(), why };
    let text = std::fs::read_to_string(bundle).map_err(|error| wrong(error.to_string()))?;
    let usable: Vec<&str> = certificates(&text).filter(|pem| is_usable(pem)).collect();
    if usable.is_empty() {
        return Err(wrong("it holds no certificate that can be used".to_owned()));
    }
    let trusted = usable.into_iter().fold(TrustStore::empty(), TrustStore::with_pem_certificate);
    let context = TlsContext::builder().with_trust_store(trusted).build().map_err(|error| wrong(error.to_string()))?;
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder();
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.tls_provider(provider.clone()).tls_context(context.clone()).build()
    }))
}

/// The certificates of a bundle, each as its text; what stands between them are comments.
fn certificates(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(BEGIN).filter_map(|(begin, _)| {
        let rest = &text[begin..];
        rest.find(END).map(|end| &rest[..end + END.len()])
    })
}

/// Whether a certificate can be trusted to sign: one that cannot be read is left out, as a system's store leaves it out.
fn is_usable(pem: &str) -> bool {
    CertificateDer::from_pem_slice(pem.as_bytes()).is_ok_and(|der| RootCertStore::empty().add(der).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIBlTCCATugAwIBAgIUGVv9DN9wVWDqjFFRAyxJUzarTJcwCgYIKoZIzj0EAwIw\n\
        HzEdMBsGA1UEAwwUVGVzdCBDQSBvZiBwYWdlcmRlY2swIBcNMjYxMTI5MDgyNzAz\n\
        WhgPMjEyNjExMDUwODI3MDNaMB8xHTAbBgNVBAMMFFRlc3QgQ0Egb2YgcGFnZXJk\n\
        ZWNrMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEc1/v3bNrBPLXL7dhAmMqrxod\n\
        pw4HcFGH0sb6dU+4cdw4PzERrLqAx6DVd9trfU9piek53dtYU8pI9DLY4+mSa6NT\n\
        MFEwHQYDVR0OBBYEFCSoH1dEB04dejPIl/prUWuhhflLMB8GA1UdIwQYMBaAFCSo\n\
        H1dEB04dejPIl/prUWuhhflLMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwID\n\
        SAAwRQIgfJSWUzp+DjepdwxFK6fCUn9nfQjlyukuSjWmP5y3/5sCIQCRw2MuhRst\n\
        cI0R2uzzaDqx7TWj23RExbzGNYfCpZ1jlg==\n\
        -----END CERTIFICATE-----\n";

    fn read(text: &str) -> Result<SharedHttpClient, ClientsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, text).unwrap();
        client(&path)
    }

    #[test]
    fn a_bundle_is_read_with_its_comments_and_without_what_is_no_certificate() {
        let broken = format!("{BEGIN}\nAAAA\n{END}\n");
        for fine in [CERTIFICATE.to_owned(), format!("# ours\n{CERTIFICATE}{broken}{CERTIFICATE}")] {
            assert!(read(&fine).is_ok(), "{fine}");
        }
        for wrong in ["", "no certificate", broken.as_str(), &CERTIFICATE[..60]] {
            let fault = read(wrong).unwrap_err().fault();
            assert!(fault.summary.contains("ca.pem") && !fault.hints.is_empty(), "{wrong}: {fault}");
        }
        assert!(client(Path::new("/nowhere/ca.pem")).unwrap_err().fault().summary.contains("/nowhere/ca.pem"));
    }
}
