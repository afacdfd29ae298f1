//! The TCP connect, from a source address where one is named.

use std::io;
use std::net::{IpAddr, SocketAddr};

use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use tokio::net::{TcpSocket, TcpStream};

/// Connects to `target`, from `source` if one is named (any free port of it), with Nagle's algorithm off.
pub(super) async fn dial(target: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if target.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(address) = source {
        // The port is chosen at connect, for the whole four-tuple: binding would search all ports of the address
        // for one that nobody uses at all, and find none once they are used up towards other targets.
        setsockopt(&socket, IpBindAddressNoPort, &true)?;
        socket.bind(SocketAddr::new(address, 0))?;
    }
    socket.set_nodelay(true)?;
    let stream = socket.connect(target).await?;
    // A port of the ephemeral range on which nobody listens can be connected to itself (simultaneous open).
    if target.ip().is_loopback() && stream.local_addr()? == target {
        return Err(io::Error::from_raw_os_error(nix::errno::Errno::ECONNREFUSED as i32));
    }
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::getsockopt;
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn sources_are_bound_without_a_port_of_their_own() {
        let test = async {
            for (target, source) in [("127.0.0.1:0", "127.0.0.5"), ("[::1]:0", "::1")] {
                let listener = TcpListener::bind(target).await.unwrap();
                let source: IpAddr = source.parse().unwrap();
                let stream = dial(listener.local_addr().unwrap(), Some(source)).await.unwrap();
                assert_eq!(stream.local_addr().unwrap().ip(), source);
                assert!(getsockopt(&stream, IpBindAddressNoPort).unwrap(), "{target}");
                assert!(stream.nodelay().unwrap());
            }
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }

    /// How the socket is made ready before it connects.
    #[derive(Clone, Copy)]
    enum Made {
        ByDial,
        /// Bound the plain way: the system looks for a port that nobody uses at all, then and there.
        Bound,
    }

    /// Microseconds of this thread's processor time a connect takes, in each thousand of `count`, and how many connections
    /// were in TIME_WAIT before: from these sources in turn (none: as the system chooses), closed by us first, so that
    /// TIME_WAIT is ours.
    fn costs(count: usize, sources: &[IpAddr], made: Made) -> Vec<(usize, f64)> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            for _ in 0..count {
                let mut accepted = listener.accept().unwrap().0;
                // Until the other end has closed.
                let _ = std::io::Read::read(&mut accepted, &mut [0]);
            }
        });
        let test = async {
            let mut costs = Vec::new();
            for thousand in 0..count / 1000 {
                let (piled, mut cost) = (in_time_wait(), std::time::Duration::ZERO);
                for n in 0..1000 {
                    let turn = thousand * 1000 + n;
                    let source = sources.get(turn % sources.len().max(1)).copied();
                    let before = super::super::thread_cpu();
                    let stream = match made {
                        Made::ByDial => dial(target, source).await.unwrap(),
                        Made::Bound => {
                            let socket = TcpSocket::new_v4().unwrap();
                            socket.bind(SocketAddr::new(source.unwrap(), 0)).unwrap();
                            socket.connect(target).await.unwrap()
                        }
                    };
                    cost += super::super::thread_cpu() - before;
                    drop(stream);
                }
                costs.push((piled, cost.as_secs_f64() * 1e3));
            }
            costs
        };
        let costs = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
        server.join().unwrap();
        costs
    }

    /// How many connections of this machine are.
    fn in_time_wait() -> usize {
        let told = std::fs::read_to_string("/proc/net/sockstat").unwrap();
        let mut words = told.split_whitespace().skip_while(|word| *word != "tw");
        words.nth(1).unwrap().parse().unwrap()
    }

    /// `cargo test --release --lib connecting_does_not_slow_down -- --ignored --nocapture`, where nothing else runs.
    #[test]
    #[ignore = "a measurement: processor time, with tens of thousands of closed connections"]
    fn connecting_does_not_slow_down_as_closed_connections_pile_up() {
        let source = |n: u8| IpAddr::from([127, 77, 0, n]);
        let four: Vec<_> = (10..14).map(source).collect();
        println!("processor time of a connect, by how many connections are in TIME_WAIT at each source address");
        println!(
            "{:34} {:>10} {:>22} {:>7} {:>24}",
            "", "first 1000", "10,000 in TIME_WAIT", "ratio", "dearest, of how many"
        );
        let mut held = true;
        for (name, sources, per_source, made) in [
            ("no source named", vec![], 1, Made::ByDial),
            ("one source", vec![source(1)], 1, Made::ByDial),
            ("four sources", four, 4, Made::ByDial),
            ("bound without the option (contrast)", vec![source(2)], 1, Made::Bound),
        ] {
            // The system remembers so many at most (tcp_max_tw_buckets), and those of others count.
            while in_time_wait() > 100 {
                std::thread::sleep(std::time::Duration::from_secs(1));
            }
            let costs = costs(21_000 * per_source, &sources, made);
            let (_, first) = costs[0];
            // Where both ends are here a port may be had again after a second (tcp_tw_reuse): they pile up more slowly.
            let many = costs.iter().find(|(piled, _)| *piled >= 10_000 * per_source);
            let (piled, then) = *many.expect("10,000 are in TIME_WAIT at each source address");
            let (ratio, piled) = (then / first, piled / per_source);
            let (all, dearest) = *costs.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            let all = all / per_source;
            println!("{name:34} {first:7.1} µs {then:10.1} µs ({piled}) {ratio:7.2} {dearest:13.1} µs ({all})");
            held &= ratio <= 1.5 || matches!(made, Made::Bound);
        }
        assert!(held, "connecting costs more than 1.5 times as much with 10,000 closed connections");
    }
}
