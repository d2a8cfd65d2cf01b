package api

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

func newTransport(caFile string) (*http.Transport, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	// A proxy that compresses an answer weakens its entity tag, and a weak one matches nothing (RFC 9110, 13.1.1).
	transport.DisableCompression = true
	if caFile == "" {
		return transport, nil
	}
	authorities, err := readAuthorities(caFile)
	transport.TLSClientConfig.RootCAs = authorities
	return transport, err
}

func readAuthorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the CA file cannot be read: %w", err)
	}
	authorities, err := x509.SystemCertPool()
	if err != nil {
		authorities = x509.NewCertPool()
	}
	if !authorities.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the CA file %s holds no certificate in PEM", file)
	}
	return authorities, nil
}
