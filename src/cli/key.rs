//! `phantomload key`

use super::inputs::read;
use super::{Data, Ended, open, print_json, print_text, refused};
use phantomload::archive;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Which {
    /// Make the device's key; it then waits for its certificate
    Init {
        #[command(flatten)]
        data: Data,
        /// Make an authority of the laboratory on this machine too, and have it issue the certificate at once
        #[arg(long)]
        laboratory_ca: bool,
        /// Name of the tester in its chain, such as its serial number [default: made up]
        #[arg(long, value_name = "NAME")]
        device: Option<String>,
        /// The laboratory's name in the certificate
        #[arg(long, value_name = "NAME", default_value = "")]
        organization: String,
    },
    /// Print the request for a certificate (PKCS#10), for the key that waits or, to renew, for the one in use
    Csr {
        #[command(flatten)]
        data: Data,
        /// The laboratory's name in the certificate
        #[arg(long, value_name = "NAME", default_value = "")]
        organization: String,
    },
    /// Install the device certificate and the one of the authority that issued it
    Install {
        /// The device certificate, PEM
        certificate: PathBuf,
        /// The authority's certificate, PEM
        authority: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Show which key seals, and until when
    Show {
        #[command(flatten)]
        data: Data,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a demo authority and a demo key, for the simulated bench alone
    DemoCa {
        #[command(flatten)]
        data: Data,
    },
    /// Replace the key by a new one; the old one signs that it ends
    Rotate {
        #[command(flatten)]
        data: Data,
        /// The laboratory's name in the certificate
        #[arg(long, value_name = "NAME", default_value = "")]
        organization: String,
    },
}

fn told(words: Result<Vec<String>, archive::Fault>) -> Ended {
    print_text(&(words.map_err(refused)?.join("\n") + "\n"))?;
    Ok(0)
}

/// Makes, shows or changes the key.
pub fn run(which: &Which) -> Ended {
    match which {
        Which::Init { data, laboratory_ca, device, organization } => {
            told(open(data)?.key_init(device.as_deref(), organization, *laboratory_ca))
        }
        Which::Csr { data, organization } => {
            print_text(&open(data)?.key_request(organization).map_err(refused)?)?;
            Ok(0)
        }
        Which::Install { certificate, authority, data } => {
            let (certificate, authority) = (read(certificate)?, read(authority)?);
            told(open(data)?.key_install(&certificate, &authority))
        }
        Which::Show { data, json } => {
            let info = archive::key_info(&data.dir()?).map_err(refused)?;
            if *json {
                print_json(&info)?;
                return Ok(0);
            }
            let lines = [
                ("device", (!info.device.is_empty()).then_some(info.device)),
                ("key", info.key_id),
                ("algorithm", info.algorithm),
                ("kept in a", info.protection),
                ("subject", info.subject),
                ("issued by", info.issuer),
                ("problem", info.problem),
                ("warning", info.warning),
            ];
            let lines = lines.into_iter().filter_map(|(name, text)| Some(format!("{name:<10} {}\n", text?)));
            print_text(&lines.collect::<String>())?;
            Ok(0)
        }
        Which::DemoCa { data } => told(open(data)?.make_demo_key()),
        Which::Rotate { data, organization } => told(open(data)?.key_rotate(organization)),
    }
}
