//! Whole files, good and bad.
#![allow(clippy::unwrap_used)]

use std::io::Write;

use super::*;
use crate::settings::Protocol;

const JAAS: &str = "org.apache.kafka.common.security";

fn written(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn good(text: &str) -> ClientSettings {
    read(written(text).path()).unwrap()
}

fn bad(text: &str) -> SettingsError {
    let file = written(text);
    let error = read(file.path()).unwrap_err();
    assert_eq!(error.file.as_deref(), Some(file.path()));
    assert!(!error.to_string().contains("hush"), "{error}");
    error
}

#[test]
fn a_usual_file_is_understood_and_the_rest_listed() {
    let file = written(&format!(
        "bootstrap.servers=a:1,[::1]:2\nsecurity.protocol=sasl_ssl\nsasl.mechanism=SCRAM-SHA-512\n\
         sasl.jaas.config={JAAS}.scram.ScramLoginModule required \\\n  username=\"alice\" password=\"hush\";\n\
         ssl.truststore.type=PEM\nssl.truststore.location=/etc/ca.pem\n\
         ssl.endpoint.identification.algorithm=\nacks=all\n"
    ));
    let settings = read(file.path()).unwrap();
    assert_eq!(settings.bootstrap.len(), 2);
    assert_eq!(settings.protocol, Some(Protocol::SaslSsl));
    assert_eq!(settings.ignored, [format!("{}:9: acks", file.path().display())]);
    assert!(!format!("{settings:?}").contains("hush"));
    let way = settings.way().unwrap();
    let tls = way.tls.unwrap();
    assert_eq!(tls.ca_pem, Some(Pem::File("/etc/ca.pem".into())));
    assert!(tls.verify && !tls.check_name);
    let sasl = way.sasl.unwrap();
    assert_eq!((sasl.mechanism, sasl.user.as_str()), (Mechanism::ScramSha512, "alice"));
    assert_eq!(sasl.secret.0, "hush");
}

#[test]
fn pem_stores_are_one_file_or_text() {
    let one = good("ssl.keystore.type=PEM\nssl.keystore.location=client.pem\n");
    assert_eq!(one.cert, one.key);
    assert_eq!(one.cert, Some(Pem::File("client.pem".into())));
    let text = good(
        "ssl.keystore.type=pem\nssl.keystore.certificate.chain=CHAIN\nssl.keystore.key=KEY\n\
         ssl.truststore.type=PEM\nssl.truststore.certificates=one \\\n  two\n",
    );
    assert_eq!(text.cert, Some(Pem::Text(b"CHAIN".to_vec())));
    assert_eq!(text.key, Some(Pem::Text(b"KEY".to_vec())));
    assert_eq!(text.ca, Some(Pem::Text(b"one two".to_vec())));
}

#[test]
fn a_key_that_is_nearly_one_of_ours_is_a_mistake_and_any_other_is_not() {
    for (text, line, meant) in [
        ("acks=all\nsecurity.protocl=SSL", 2, "security.protocol"),
        ("Security.Protocol=SSL", 1, "security.protocol"),
        ("sasl.mechanisms=PLAIN", 1, "sasl.mechanism"),
        ("boostrap.server=a:1", 1, "bootstrap.servers"),
        ("ssl.trustore.location=a", 1, "ssl.truststore.location"),
    ] {
        let error = bad(text);
        assert_eq!(error.line, Some(line), "{error}");
        assert!(error.to_string().contains(&format!("is it {meant}?")), "{error}");
    }
    // Settings of Kafka's clients that are alike and mean something else.
    let others = [
        "security.providers",
        "ssl.protocol",
        "ssl.provider",
        "ssl.keystore.password",
        "ssl.truststore.password",
        "sasl.login.class",
        "sasl.kerberos.service.name",
        "client.id",
        "group.id",
        "bootstrap.controllers",
    ];
    let text: String = others.map(|key| format!("{key}=x\n")).concat();
    assert_eq!(good(&text).ignored.len(), others.len());
    // Every key that is taken up is in the list, so that a slip in any is noticed.
    for key in KEYS {
        assert_eq!(
            misspelt(&format!("{key}x")).unwrap_err().remedy,
            format!("write {key}, or leave it out")
        );
    }
}

#[test]
fn tls_versions_are_understood() {
    assert_eq!(good("ssl.enabled.protocols=TLSv1.3").versions, Some(Versions::Only13));
    assert_eq!(good("ssl.enabled.protocols=TLSv1.2, TLSv1.3").versions, Some(Versions::Both));
}

#[test]
fn plain_follows_from_its_module() {
    let text = format!(
        "sasl.jaas.config={JAAS}.plain.PlainLoginModule required username=a password=hush;"
    );
    assert_eq!(good(&text).mechanism, Some(Mechanism::Plain));
}

#[test]
fn every_mistake_has_file_line_key_and_remedy() {
    let scram = format!("sasl.jaas.config={JAAS}.scram.ScramLoginModule required");
    let cases: &[(String, usize, &str, &str)] = &[
        ("\nsecurity.protocol=TLS".into(), 2, "security.protocol", "SASL_SSL"),
        ("sasl.mechanism=GSSAPI".into(), 1, "sasl.mechanism", "SCRAM-SHA-256"),
        ("bootstrap.servers=a".into(), 1, "bootstrap.servers", "port is missing"),
        ("a=1\nsasl.jaas.config=nonsense".into(), 2, "sasl.jaas.config", "required"),
        (format!("{scram} username=\"a\";"), 1, "sasl.jaas.config", "option password"),
        (format!("{scram} password=\"hush\";"), 1, "sasl.jaas.config", "option username"),
        (
            format!("{scram} username=a password=hush tokenauth=true;"),
            1,
            "sasl.jaas.config",
            "delegation token",
        ),
        (
            format!("sasl.mechanism=PLAIN\n{scram} username=a password=hush;"),
            2,
            "sasl.jaas.config",
            "agree",
        ),
        (
            format!("sasl.jaas.config={JAAS}.oauthbearer.OAuthBearerLoginModule required;"),
            1,
            "sasl.jaas.config",
            "--password-file",
        ),
        (
            "sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required;".into(),
            1,
            "sasl.jaas.config",
            "Krb5LoginModule",
        ),
        (
            "ssl.truststore.location=t.jks\nssl.truststore.password=hush".into(),
            1,
            "ssl.truststore.type",
            "keytool",
        ),
        (
            "ssl.keystore.location=k.p12\nssl.keystore.type=PKCS12".into(),
            2,
            "ssl.keystore.type",
            "PKCS12 is not read",
        ),
        (
            "ssl.keystore.type=PEM\nssl.keystore.location=k\nssl.key.password=hush".into(),
            3,
            "ssl.key.password",
            "openssl",
        ),
        (
            "ssl.endpoint.identification.algorithm=ldaps".into(),
            1,
            "ssl.endpoint.identification.algorithm",
            "https",
        ),
        ("ssl.enabled.protocols=TLSv1.1".into(), 1, "ssl.enabled.protocols", "TLSv1.2"),
        ("ssl.keystore.key=${file:/hush:key}".into(), 1, "ssl.keystore.key", "flag"),
        ("a=\\u12".into(), 1, "", "escape"),
    ];
    for (text, line, key, part) in cases {
        let error = bad(text);
        assert_eq!((error.line, error.key.as_str()), (Some(*line), *key), "{error}");
        assert!(error.to_string().contains(part) && !error.remedy.is_empty(), "{error}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = read(Path::new("no/such/client.properties")).unwrap_err().to_string();
    assert!(error.starts_with("no/such/client.properties: cannot be read"), "{error}");
}
