//! Values that an inventory holds and everybody may know, told by their shape: names of machines, people,
//! places and resources, times, versions, digests and public keys. They stand in manuals and settings, and that
//! says nothing.
//!
//! Not here: how hard anything else is to guess (`telling`).

/// Last labels of host names; more would make hosts of values that have stops in them.
const TOPS: &str = "ai app at au be biz br ca ch cloud cn co com corp cz de dev dk edu es eu example fi fr gov in \
    info internal io ie it jp kr lan local localdomain localhost me mil net nl no nz org pl pt ru se \
    sh svc test tv uk us za";
/// What resources of AWS begin with, before a hyphen and eight or seventeen hexadecimal digits
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>).
const RESOURCES: &str = "acl ami eipalloc eni fs i igw lt nat r rtb sg snap subnet vol vpc vpce";
/// What public things begin with: keys of SSH (RFC 4253, section 6.6), publishable keys of Stripe
/// (<https://docs.stripe.com/keys>), digests, resources of Azure and of AWS.
const BEGINNINGS: &[&str] = &[
    "ssh-rsa AAAA",
    "ssh-dss AAAA",
    "ssh-ed25519 AAAA",
    "ecdsa-sha2-nistp",
    "sk-ssh-ed25519@openssh.com AAAA",
    "sk-ecdsa-sha2-nistp",
    "pk_live_",
    "pk_test_",
    "sha1:",
    "sha256:",
    "sha512:",
    "sha256-",
    "sha384-",
    "sha512-",
    "/subscriptions/",
    "arn:aws:",
    "arn:aws-cn:",
    "arn:aws-us-gov:",
];
/// Words that names of regions, machines, services and environments are made of.
const WORDS: &str = "access account admin africa agent america ap api app application asia auth australia \
    backend backup beta blob brazil bucket cache canada canary cdn central china client cloud cluster config \
    container core cron data database db default deploy dev development dns docker domain east edge email \
    endpoint env environment eu europe external france frontend function gateway gb germany git github gitlab \
    global gov group guest host http https hub image india indonesia ingress internal ireland israel italy \
    japan jenkins job kafka key korea kube kubernetes lambda linux live load local localhost log logging login \
    mail main manager master me memcached metrics mexico mirror mobile mongo mongodb monitor mysql name \
    network new nginx node nonprod north norway ops operator password path platform pod poland pool port \
    postgres postgresql preprod preview primary private prod production project prometheus proxy public qatar \
    queue rabbitmq read readonly redis region registry release replica repo reporting repository role root run \
    runner sa sandbox schema search secondary secret secrets server service session shared singapore site \
    south spain sql stage staging standby static storage store stream subnet svc sweden switzerland system \
    taiwan tenant terraform test testing token uae uat uk us user username vault version vm volume vpc web \
    webhook west windows worker write zealand zone";
/// No name of one piece is longer.
const NAME: usize = 32;

/// Whether a value has a shape that only public ones have.
pub fn is_public(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    BEGINNINGS.iter().any(|it| text.starts_with(it))
        || is_recipient(text)
        || is_host(text)
        || is_mail(text)
        || is_resource(text)
        || is_moment(text)
        || is_version(text)
}

/// Whether letters are nothing but words of which names are made, one after the other: `northeurope`.
pub(super) fn is_named(letters: &[u8]) -> bool {
    if letters.len() > NAME {
        return false;
    }
    let letters = letters.to_ascii_lowercase();
    // Which beginnings are words.
    let mut ends = vec![false; letters.len() + 1];
    ends[0] = true;
    for start in 0..letters.len() {
        if ends[start] {
            let words = WORDS
                .split(' ')
                .filter(|it| letters[start..].starts_with(it.as_bytes()));
            words.for_each(|it| ends[start + it.len()] = true);
        }
    }
    ends[letters.len()]
}

/// For whom something is sealed (<https://age-encryption.org/v1>).
fn is_recipient(text: &str) -> bool {
    text.len() == 62
        && text.starts_with("age1")
        && text
            .bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
}

/// A host by its full name, perhaps with a port.
fn is_host(text: &str) -> bool {
    let is_port = |it: &str| it.len() <= 5 && it.bytes().all(|it| it.is_ascii_digit());
    let host = match text.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => text,
    };
    let is_label = |it: &str| {
        (1..=63).contains(&it.len())
            && it
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
    };
    let top = host.rsplit_once('.').map(|it| it.1.to_ascii_lowercase());
    top.is_some_and(|it| TOPS.split(' ').any(|top| top == it)) && host.split('.').all(is_label)
}

fn is_mail(text: &str) -> bool {
    let is_local = |it: &str| {
        (1..=NAME).contains(&it.len())
            && it
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"._%+-".contains(&it))
    };
    text.split_once('@')
        .is_some_and(|(local, host)| is_local(local) && is_host(host))
}

fn is_resource(text: &str) -> bool {
    text.split_once('-').is_some_and(|(kind, id)| {
        RESOURCES.split(' ').any(|it| it == kind)
            && matches!(id.len(), 8 | 17)
            && id.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// A day, and perhaps a time (RFC 3339).
fn is_moment(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|it| if it.is_ascii_digit() { '0' } else { it })
        .collect();
    let rest = shape.strip_prefix("0000-00-00");
    rest.is_some_and(|it| it.len() < 26 && it.bytes().all(|it| b"0:.,+-TtZz ".contains(&it)))
}

/// `v1.28.3-gke.1286000`: numbers, then perhaps words and numbers.
fn is_version(text: &str) -> bool {
    let bare = text.strip_prefix('v').unwrap_or(text);
    let mut parts = bare.split(['.', '-', '+', '_']);
    let is_number =
        |it: &str| (1..=8).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_digit());
    let is_word = |it: &str| {
        let letters = it.trim_end_matches(|it: char| it.is_ascii_digit());
        it.len() - letters.len() <= 4
            && letters.len() <= 8
            && letters.bytes().all(|it| it.is_ascii_lowercase())
    };
    let head = parts.by_ref().take(2).filter(|it| is_number(it)).count();
    head == 2 && bare.contains('.') && parts.all(|it| is_number(it) || is_word(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_may_know_is_told_from_secrets() {
        for public in [
            "shop-prod.abcdefghijkl.eu-west-1.rds.amazonaws.com",
            "shop-prod.abcdefghijkl.eu-west-1.rds.amazonaws.com:5432",
            "483920175566-q1w2e3r4t5y6u7i8.apps.googleusercontent.com",
            "ip-10-0-12-45.ec2.internal",
            "jonathan.smith1985@corp.example.com",
            "arn:aws:iam::123456789012:role/shop-deploy-q8Zk27xP",
            "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourceGroups/shop",
            "subnet-0b1f64711bf04ddaa",
            "ami-0b1f6471",
            "2026-11-25T10:00:00.000Z",
            "2026-11-25 10:00:00+01:00",
            "v1.28.3-gke.1286000",
            "3.19.1-alpine3.20",
            "sha256:0b1f64711bf04ddaaec3cb9272f095900b1f64711bf04ddaaec3cb9272f09590",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIq8Zk27xPw0LmN4tYb6Rc ada@shop",
        ] {
            assert!(is_public(public.as_bytes()), "{public}");
        }
        for secret in [
            "q8Zk27xPw0Lm",
            "q8Zk27.xPw0Lm.N4tYb6",
            "correct.horse.battery.staple",
            "shop:q8Zk27xPw0Lm@db.internal",
            "https://hooks.example.com/q8Zk27xPw0Lm",
            "i-am-a-secret-17",
            "20261125-q8Zk27xPw0Lm",
            "1.q8Zk27xPw0LmN4tYb6Rc",
            "v1.0b1f64711bf04ddaaec3cb92",
            "1.0-q8Zk27xPw0LmN4tYb6Rc",
            "sk_live_placeholder",
        ] {
            assert!(!is_public(secret.as_bytes()), "{secret}");
        }
        assert!(!is_public(b"\xff\xfe.com"));
    }

    #[test]
    fn names_of_regions_are_made_of_few_words() {
        for name in [
            "northeurope",
            "germanywestcentral",
            "WestUS",
            "southafricanorth",
            "northeast",
            "ap",
        ] {
            assert!(is_named(name.as_bytes()), "{name}");
        }
        for other in ["horse", "xkqjvbwz", "northx", "xnorth"] {
            assert!(!is_named(other.as_bytes()), "{other}");
        }
    }
}
