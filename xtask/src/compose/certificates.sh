# Run in the image of Footfall, which has openssl; writes into /made.
cd /made
for authority in ca other-ca; do
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$authority of a test" \
    -addext basicConstraints=critical,CA:TRUE -keyout $authority.key -out $authority.pem 2> /dev/null
done
for server in their-kafka their-postgres; do
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$server" -keyout $server.key -out $server.csr 2> /dev/null
  printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\n' $server > $server.ext
  openssl x509 -req -days 2 -in $server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $server.ext \
    -out $server.pem 2> /dev/null
done
# Kafka takes key and chain out of one file
cat their-kafka.key their-kafka.pem ca.pem > kafka-keystore.pem
chmod 644 *
