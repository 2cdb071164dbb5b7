//! A name server in place of Docker's: it knows one name.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;

const HEADER_BYTES: usize = 12;
const TYPE_A: [u8; 2] = [0, 1];

/// Answers every question for an IPv4 address with `addresses`, and every other with none.
pub(crate) async fn serve(host: Ipv4Addr, addresses: Vec<Ipv4Addr>) -> SocketAddr {
    let socket = UdpSocket::bind((host, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 512];
        loop {
            let (length, asker) = socket.recv_from(&mut packet).await.unwrap();
            if let Some(answer) = answer(&packet[..length], &addresses) {
                socket.send_to(&answer, asker).await.unwrap();
            }
        }
    });
    address
}

/// RFC 1035, 4: the question comes back, then one record for each address.
fn answer(query: &[u8], addresses: &[Ipv4Addr]) -> Option<Vec<u8>> {
    let name_bytes = query.get(HEADER_BYTES..)?.iter().position(|byte| *byte == 0)? + 1;
    let question = query.get(HEADER_BYTES..HEADER_BYTES + name_bytes + 4)?;
    let addresses = if question[name_bytes..name_bytes + 2] == TYPE_A { addresses } else { &[] };
    let count = u8::try_from(addresses.len()).ok()?;
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0]);
    answer.extend(question);
    for address in addresses {
        // A pointer to the name in the question, type A, class IN, five seconds, four bytes.
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}
