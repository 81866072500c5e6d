//! SCRAM against its RFC's example, and against rsasl on both sides.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kconform_wire::sasl::scram::{
    Client, Hash, MAX_ITERATIONS, MIN_ITERATIONS, ScramError, ServerFirst, encode_name,
};
use proptest::prelude::*;
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::scram::properties::ScramStoredPassword;
use rsasl::prelude::{
    Mechname, SASLClient, SASLConfig, SASLServer, Session, SessionError, Validation,
};
use rsasl::property::AuthId;
use rsasl::validate::{Validate, ValidationError};

const HASHES: [Hash; 2] = [Hash::Sha256, Hash::Sha512];

/// RFC 7677, section 3.
mod example {
    pub(super) const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    pub(super) const CLIENT_FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    pub(super) const SERVER_FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    pub(super) const CLIENT_FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    pub(super) const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
}

fn example() -> Client {
    Client::new(Hash::Sha256, "user", "pencil", example::NONCE)
}

fn text(message: Vec<u8>) -> String {
    String::from_utf8(message).unwrap()
}

#[test]
fn the_example_of_the_rfc() {
    let mut client = example();
    assert_eq!(text(client.client_first()), example::CLIENT_FIRST);
    let last = client.client_final(example::SERVER_FIRST.as_bytes()).unwrap();
    assert_eq!(text(last), example::CLIENT_FINAL);
    client.verify(example::SERVER_FINAL.as_bytes()).unwrap();
}

#[test]
fn a_server_that_does_not_know_the_password_is_found_out() {
    let mut client = example();
    let early = client.verify(example::SERVER_FINAL.as_bytes());
    assert_eq!(early, Err(ScramError::Early));
    client.client_final(example::SERVER_FIRST.as_bytes()).unwrap();
    let verify = |message: &str| client.verify(message.as_bytes());
    let other = example::SERVER_FINAL.replace("6rri", "7rri");
    assert_eq!(verify(&other), Err(ScramError::Signature));
    assert_eq!(verify("v="), Err(ScramError::Signature));
    assert_eq!(verify("v=!"), Err(ScramError::Malformed("verifier")));
    assert_eq!(verify(""), Err(ScramError::Malformed("verifier")));
    assert_eq!(verify("e=invalid-proof"), Err(ScramError::Server("invalid-proof".to_owned())));
    assert_eq!(client.verify(b"v=\xff"), Err(ScramError::Encoding));
}

#[test]
fn a_server_must_extend_the_nonce_and_ask_for_sane_iterations() {
    let ask = |message: &str| example().client_final(message.as_bytes()).map(drop);
    let first =
        |nonce: &str, iterations: &str| ask(&format!("r={nonce},s=c2FsdA==,i={iterations}"));
    let nonce = format!("{}server", example::NONCE);
    first(&nonce, "4096").unwrap();
    assert_eq!(first(example::NONCE, "4096"), Err(ScramError::Nonce));
    assert_eq!(first("server", "4096"), Err(ScramError::Nonce));
    assert_eq!(first(&format!("x{nonce}"), "4096"), Err(ScramError::Nonce));
    assert_eq!(first(&nonce, "4095"), Err(ScramError::Iterations(4095)));
    assert_eq!(first(&nonce, "1"), Err(ScramError::Iterations(1)));
    let beyond = (MAX_ITERATIONS + 1).to_string();
    assert_eq!(first(&nonce, &beyond), Err(ScramError::Iterations(MAX_ITERATIONS + 1)));
    for iterations in ["", "-1", "+4096", "4e3", "99999999999"] {
        assert_eq!(first(&nonce, iterations), Err(ScramError::Malformed("iterations")));
    }
    assert_eq!(ask("m=new,r=a,s=b,i=4096"), Err(ScramError::Malformed("nonce")));
    assert_eq!(ask("r=a"), Err(ScramError::Malformed("salt")));
    assert_eq!(ask("r=a,s=?,i=1"), Err(ScramError::Malformed("salt")));
    assert_eq!(ask("r=a,s=c2FsdA=="), Err(ScramError::Malformed("iterations")));
    assert_eq!(ask("e=unknown-user"), Err(ScramError::Server("unknown-user".to_owned())));
}

#[test]
fn what_a_negative_case_can_change() {
    let client = || Client::new(Hash::Sha256, "a,b=c", "p", "N");
    assert_eq!(text(client().client_first()), "n,,n=a=2Cb=3Dc,r=N");
    assert_eq!(text(client().with_authzid("x=y").client_first()), "n,a=x=3Dy,n=a=2Cb=3Dc,r=N");
    assert_eq!(text(client().with_encoded_user("a=41").client_first()), "n,,n=a=41,r=N");
    assert_eq!(
        text(client().with_gs2_header("p=tls-unique,,").client_first()),
        "p=tls-unique,,n=a=2Cb=3Dc,r=N"
    );
    let extended = client().with_extension("tokenauth=true").with_extension("foo=bar");
    assert_eq!(text(extended.client_first()), "n,,n=a=2Cb=3Dc,r=N,tokenauth=true,foo=bar");
    let mandatory = client().with_mandatory_extension("m=odd");
    assert_eq!(text(mandatory.client_first()), "n,,m=odd,n=a=2Cb=3Dc,r=N");
    assert_eq!(client().with_gs2_header("y,,").without_proof("NS"), "c=eSws,r=NS");

    // A proof that is right for a message that is wrong, and so differs from the right one's.
    let server_first = ServerFirst::read(b"r=NS,s=c2FsdA==,i=4096").unwrap();
    let mut tampered = client();
    let wrong = text(tampered.prove(&server_first, "c=biws,r=OTHER"));
    let right = text(client().prove(&server_first, &client().without_proof("NS")));
    assert!(wrong.starts_with("c=biws,r=OTHER,p=") && right.starts_with("c=biws,r=NS,p="));
    assert_ne!(wrong.rsplit_once("p="), right.rsplit_once("p="));
    assert!(!format!("{:?}", Client::new(Hash::Sha512, "u", "sesame", "N")).contains("sesame"));
}

/// The stored half of a password, as a server keeps it.
#[derive(Clone)]
struct Stored {
    user: String,
    salt: Vec<u8>,
    iterations: u32,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl Stored {
    fn new(hash: Hash, user: &str, password: &str, salt: &[u8], iterations: u32) -> Self {
        let salted = hash.salted_password(password, salt, iterations);
        Self {
            user: user.to_owned(),
            salt: salt.to_vec(),
            iterations,
            stored_key: hash.digest(&hash.hmac(&salted, b"Client Key")),
            server_key: hash.hmac(&salted, b"Server Key"),
        }
    }
}

struct Accepted;

impl Validation for Accepted {
    type Value = String;
}

impl SessionCallback for Stored {
    fn callback(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if context.get_ref::<AuthId>() == Some(&self.user) {
            let stored = ScramStoredPassword::new(
                self.iterations,
                &self.salt,
                &self.stored_key,
                &self.server_key,
            );
            request.satisfy::<ScramStoredPassword<'_>>(&stored)?;
        }
        Ok(())
    }

    fn validate(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        validate.with::<Accepted, _>(|| {
            Ok(context.get_ref::<AuthId>().unwrap_or_default().to_owned())
        })?;
        Ok(())
    }
}

fn their_server(hash: Hash, stored: Stored) -> Session<Accepted> {
    let config: Arc<SASLConfig> =
        SASLConfig::builder().with_defaults().with_callback(stored).unwrap();
    let name = Mechname::parse(hash.mechanism().as_bytes()).unwrap();
    SASLServer::<Accepted>::new(config).start_suggested(name).unwrap()
}

fn step<V: Validation>(
    session: &mut Session<V>,
    input: Option<&[u8]>,
) -> Result<Vec<u8>, SessionError> {
    let mut out = Vec::new();
    session.step(input, &mut out).map(|_| out)
}

fn with_their_server(mut client: Client, hash: Hash, stored: Stored) -> Result<String, String> {
    let mut server = their_server(hash, stored);
    let server_first =
        step(&mut server, Some(&client.client_first())).map_err(|e| e.to_string())?;
    let last = client.client_final(&server_first).map_err(|e| e.to_string())?;
    let server_final = step(&mut server, Some(&last)).map_err(|e| e.to_string())?;
    client.verify(&server_final).map_err(|e| e.to_string())?;
    server.validation().ok_or_else(|| "nobody was accepted".to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn our_client_with_their_server(
        user in "[a-zäöü,=]{1,20}",
        password in "[ -~]{1,40}",
        salt in prop::collection::vec(any::<u8>(), 1..30),
        iterations in MIN_ITERATIONS..6000,
    ) {
        for hash in HASHES {
            let client = Client::new(hash, &user, &password, "fyko+d2lbbFgONRv9qkxdawL");
            // rsasl's server does not decode names.
            let name = encode_name(&user);
            let stored = Stored::new(hash, &name, &password, &salt, iterations);
            prop_assert_eq!(with_their_server(client, hash, stored), Ok(name));
        }
    }

    #[test]
    fn their_client_with_our_side(
        user in "[a-z,=]{1,20}",
        password in "[ -~]{1,40}",
        salt in prop::collection::vec(any::<u8>(), 1..30),
    ) {
        for hash in HASHES {
            let config = SASLConfig::with_credentials(None, user.clone(), password.clone()).unwrap();
            let name = Mechname::parse(hash.mechanism().as_bytes()).unwrap();
            let mut client = SASLClient::new(config).start_suggested(&[name]).unwrap();

            let first = text(step(&mut client, None).unwrap());
            let bare = first.strip_prefix("n,,").unwrap();
            let (name, nonce) = bare.strip_prefix("n=").unwrap().split_once(",r=").unwrap();
            prop_assert_eq!(name, encode_name(&user));

            let server_first = format!("r={nonce}server,s={},i=4096", STANDARD.encode(&salt));
            let last = text(step(&mut client, Some(server_first.as_bytes())).unwrap());
            let (without_proof, proof) = last.split_once(",p=").unwrap();
            let auth_message = format!("{bare},{server_first},{without_proof}");
            let salted = hash.salted_password(&password, &salt, 4096);
            prop_assert_eq!(STANDARD.decode(proof).unwrap(), hash.client_proof(&salted, auth_message.as_bytes()));

            let signature = hash.server_signature(&salted, auth_message.as_bytes());
            let server_final = format!("v={}", STANDARD.encode(signature));
            prop_assert!(step(&mut client, Some(server_final.as_bytes())).is_ok());
        }
    }

    #[test]
    fn no_message_of_a_server_makes_the_client_panic(message in prop::collection::vec(any::<u8>(), 0..60), tail in "[rsi=,A-Z0-9]{0,30}") {
        let mut client = example();
        let _ = client.verify(&message);
        let _ = client.client_final(&message);
        let _ = client.client_final(format!("r={}x,s={tail}", example::NONCE).as_bytes());
    }
}

#[test]
fn their_server_refuses_what_is_wrong() {
    for hash in HASHES {
        let stored = || Stored::new(hash, "user", "right", b"salt", 4096);
        let client = |password| Client::new(hash, "user", password, "nonce");
        with_their_server(client("right"), hash, stored()).unwrap();
        with_their_server(client("wrong"), hash, stored()).unwrap_err();
        with_their_server(Client::new(hash, "nobody", "right", "nonce"), hash, stored())
            .unwrap_err();
        let other = if hash == Hash::Sha256 { Hash::Sha512 } else { Hash::Sha256 };
        with_their_server(Client::new(other, "user", "right", "nonce"), hash, stored())
            .unwrap_err();

        // A nonce that is not the server's, with a proof that is right for it.
        let mut server = their_server(hash, stored());
        let mut client = client("right");
        let server_first = step(&mut server, Some(&client.client_first())).unwrap();
        let server_first = ServerFirst::read(&server_first).unwrap();
        let other = client.without_proof("nonceother");
        let refusal = step(&mut server, Some(&client.prove(&server_first, &other)));
        assert!(refusal.is_err() || refusal.unwrap().starts_with(b"e="));
    }
}

#[test]
fn names_and_numbers() {
    assert_eq!(HASHES.map(Hash::mechanism), ["SCRAM-SHA-256", "SCRAM-SHA-512"]);
    assert_eq!(HASHES.map(Hash::id), [1, 2]);
    assert_eq!(HASHES.map(|hash| hash.salted_password("p", b"s", 1).len()), [32, 64]);
}
