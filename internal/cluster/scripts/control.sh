# The machine of the control plane. ROUTES has the pods of each node:
# 10.244.1.0/24=172.30.0.11 ...
. "$DIR/machine.sh"

ip link add br0 type bridge
ip addr add 172.30.0.1/24 dev br0
ip link set br0 up
for route in $ROUTES; do
	ip route add "${route%=*}" via "${route#*=}"
done

keys=$DIR/keys
keep etcd --data-dir /var/lib/etcd --unsafe-no-fsync --log-level warn \
	--listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
	--listen-peer-urls http://127.0.0.1:2380
keep kube-apiserver --etcd-servers http://127.0.0.1:2379 --advertise-address 172.30.0.1 \
	--allow-privileged --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
	--service-cluster-ip-range 10.96.0.0/16 --cert-dir /run/kubernetes \
	--client-ca-file "$keys/ca.crt" --tls-cert-file "$keys/apiserver.crt" --tls-private-key-file "$keys/apiserver.key" \
	--kubelet-client-certificate "$keys/apiserver.crt" --kubelet-client-key "$keys/apiserver.key" \
	--kubelet-certificate-authority "$keys/ca.crt" --kubelet-preferred-address-types InternalIP \
	--service-account-issuer https://kubernetes.default.svc \
	--service-account-key-file "$keys/accounts.crt" --service-account-signing-key-file "$keys/accounts.key"
until_done kubectl --kubeconfig "$keys/admin.conf" get --raw /readyz
keep kube-controller-manager --kubeconfig "$keys/controllers.conf" --leader-elect=false \
	--use-service-account-credentials --root-ca-file "$keys/ca.crt" \
	--service-account-private-key-file "$keys/accounts.key" \
	--service-cluster-ip-range 10.96.0.0/16 --cert-dir /run/kubernetes
keep kube-scheduler --kubeconfig "$keys/scheduler.conf" --leader-elect=false --cert-dir /run/kubernetes
wait
