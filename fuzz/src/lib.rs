//! What is fuzzed: one function a target, from octets to a verdict by panic. `fuzz/run` gives them to libFuzzer;
//! `cargo test` in this folder gives them their seeds.
//!
//! ```text
//! answer         what comes on a connection, in pieces → the answer its head announces, or a failure
//! challenge      WWW-Authenticate, a header a line → read, answered, and the answer read again
//! authorization  Authorization → read and judged
//! template       an identity's template → filled
//! profile_rule   a Cisco profile rule → the requests of a resync
//! workload       a workload's TOML → plan and schedule, no file touched
//! fleet_list     CSV of phones, CSV of users
//! file_path      a request's path → a name below the root
//! journal        a saved run's journal → a record, a summary, and what it says of its end
//! phone          a plan, a server and a person that do anything → the books close
//! ```

mod answer;
mod auth;
mod files;
mod journal;
mod phone;
mod words;

pub use answer::answer;
pub use auth::{authorization, challenge};
pub use files::{file_path, fleet_list};
pub use journal::journal;
pub use phone::phone;
pub use words::{profile_rule, template, workload};

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// A function that is fuzzed, and the folder of its seeds.
    type Target = (fn(&[u8]), &'static str);

    #[test]
    fn every_seed_passes() {
        let targets: [Target; 13] = [
            (super::answer, "seeds/answer"),
            (super::challenge, "seeds/challenge"),
            (super::authorization, "seeds/authorization"),
            (super::template, "seeds/template"),
            (super::profile_rule, "seeds/profile_rule"),
            (super::workload, "../workloads"),
            (super::workload, "../tests/data/workload/good"),
            (super::workload, "../tests/data/workload/bad"),
            (super::fleet_list, "../tests/data/workload/good"),
            (super::fleet_list, "../tests/data/workload/bad"),
            (super::file_path, "seeds/file_path"),
            (super::journal, "seeds/journal"),
            (super::phone, "seeds/phone"),
        ];
        for (target, folder) in targets {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
            let mut seeds = 0;
            for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
                let file = entry.unwrap().path();
                if file.is_file() {
                    target(&std::fs::read(&file).unwrap());
                    seeds += 1;
                }
            }
            assert!(seeds > 0, "{} has no seeds", folder.display());
        }
    }

    /// Enough of every length to get past the first checks, the same each time.
    #[test]
    fn noise_passes() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for length in 0..400 {
            let noise: Vec<u8> = std::iter::repeat_with(|| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 32) as u8
            })
            .take(length)
            .collect();
            for target in [
                super::answer,
                super::challenge,
                super::authorization,
                super::template,
                super::profile_rule,
                super::workload,
                super::fleet_list,
                super::file_path,
                super::journal,
                super::phone,
            ] {
                target(&noise);
            }
        }
    }
}
