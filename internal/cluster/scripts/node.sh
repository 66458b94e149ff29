# A node. ADDRESS is its own, ROUTES has the pods of the others, IMAGES the
# archives that its containerd gets, since it can pull none.
. "$DIR/machine.sh"

until_done ip link show eth0
ip addr add "$ADDRESS/24" dev eth0
ip link set eth0 up
ip route add 10.96.0.0/16 via 172.30.0.1
ip route add unreachable default
for route in $ROUTES; do
	ip route add "${route%=*}" via "${route#*=}"
done
echo 1 >/proc/sys/net/ipv4/ip_forward

pin vm/overcommit_memory 1
pin vm/panic_on_oom 0
pin kernel/panic 10
pin kernel/panic_on_oops 1
pin kernel/keys/root_maxkeys 1000000
pin kernel/keys/root_maxbytes 25000000

keep containerd --config "$DIR/$NAME/containerd.toml" --log-level warn
until_done ctr version
for image in $IMAGES; do
	ctr --namespace k8s.io images import "$image"
done
keep kube-proxy --config "$DIR/$NAME/kube-proxy.yaml"
keep kubelet --config "$DIR/$NAME/kubelet.yaml" --kubeconfig "$DIR/keys/$NAME.conf" --node-ip "$ADDRESS" --cert-dir /run/kubernetes
wait
