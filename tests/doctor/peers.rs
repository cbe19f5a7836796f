//! BIND and PowerDNS: the probes are the same.
