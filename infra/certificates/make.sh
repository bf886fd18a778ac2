#!/bin/sh
# Makes an authority of its own and the certificates that the compose file and the Kubernetes example mount:
#   sh infra/certificates/make.sh FOLDER [NAMESPACE]
# Good for trying, and for a closed network. Where there is a PKI, let it issue the same names.
# Files that are there stay; delete the folder to begin anew.
set -eu

folder=${1:?usage: make.sh FOLDER [NAMESPACE]}
namespace=${2:-almanac}
days=825
mkdir -p "$folder"
cd "$folder"

if [ ! -f ca.key ]; then
  openssl req -x509 -newkey rsa:3072 -nodes -sha256 -days 3650 -subj '/O=Almanac/CN=Almanac example authority' \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
    -keyout ca.key -out ca.crt 2>/dev/null
fi

# issue NAME SUBJECT USAGE NAMES: NAME.key and NAME.crt, signed by the authority.
issue() {
  [ -f "$1.crt" ] && return 0
  openssl req -newkey rsa:2048 -nodes -sha256 -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  {
    printf 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=%s\n' "$3"
    [ -z "$4" ] || printf 'subjectAltName=%s\n' "$4"
  } >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -sha256 -days "$days" \
    -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  rm -f "$1.csr" "$1.ext"
}

# EventStoreDB's nodes know each other by this common name, and are called by these names.
issue eventstore /CN=eventstoredb-node serverAuth,clientAuth \
  "DNS:localhost,IP:127.0.0.1,DNS:eventstore-1,DNS:eventstore-2,DNS:eventstore-3,DNS:*.eventstore.$namespace.svc.cluster.local"
issue kafka /CN=kafka serverAuth \
  "DNS:localhost,IP:127.0.0.1,DNS:kafka-1,DNS:kafka-2,DNS:kafka-3,DNS:*.kafka.$namespace.svc.cluster.local"
# Kafka wants both in one file.
cat kafka.key kafka.crt >kafka.pem
issue redis /CN=redis serverAuth \
  "DNS:localhost,IP:127.0.0.1,DNS:redis-1,DNS:redis-2,DNS:redis-3,DNS:*.redis.$namespace.svc.cluster.local"
issue gate /CN=almanac-api serverAuth \
  "DNS:localhost,IP:127.0.0.1,DNS:almanac-api,DNS:almanac-api.$namespace,DNS:almanac-api.$namespace.svc,DNS:almanac-api.$namespace.svc.cluster.local"
issue client /CN=almanac-client clientAuth ''

# Containers run under users of their own. The authority's key is for this script alone.
chmod 644 ./*.crt kafka.pem redis.key eventstore.key gate.key client.key
chmod 600 ca.key kafka.key
