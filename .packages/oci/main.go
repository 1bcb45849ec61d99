// Command oci writes an image in OCI layout (OCI Image Specification 1.1), as a tar
// file, with a static binary for each architecture and nothing else in it. No daemon
// is needed, and equal binaries make equal bytes.
//
//	oci -version V -created TIME -out FILE ARCH=BINARY ...
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"
)

// user has no name and owns nothing.
const user = "65532:65532"

const binaryPath = "usr/bin/mirrorgate"

type object map[string]any

// image is the content of the layout: blobs by their digest.
type image struct {
	version string
	created time.Time
	blobs   map[string][]byte
	order   []string
}

func main() {
	log.SetFlags(0)
	version := flag.String("version", "", "version of the program")
	created := flag.Int64("created", 0, "seconds since 1970")
	out := flag.String("out", "", "file to write")
	flag.Parse()
	i := &image{version: *version, created: time.Unix(*created, 0).UTC(), blobs: map[string][]byte{}}
	if err := i.write(*out, flag.Args()); err != nil {
		log.Fatalf("oci: %v", err)
	}
}

func (i *image) write(out string, binaries []string) error {
	var manifests []object
	for _, arg := range binaries {
		arch, file, _ := strings.Cut(arg, "=")
		binary, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("cannot read binary: %w", err)
		}
		manifest, err := i.manifest(arch, binary)
		if err != nil {
			return err
		}
		manifest["platform"] = object{"architecture": arch, "os": "linux"}
		manifests = append(manifests, manifest)
	}
	index, err := json.Marshal(object{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests,
		"annotations": object{"org.opencontainers.image.ref.name": i.version},
	})
	if err != nil {
		return fmt.Errorf("cannot write index: %w", err)
	}
	files := []file{{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644}, {"index.json", index, 0o644}}
	for _, digest := range i.order {
		files = append(files, file{"blobs/sha256/" + digest, i.blobs[digest], 0o644})
	}
	archive, err := i.tar(files)
	if err != nil {
		return err
	}
	return os.WriteFile(out, archive, 0o644)
}

// manifest adds the blobs of one architecture, and returns the descriptor of its
// manifest.
func (i *image) manifest(arch string, binary []byte) (object, error) {
	layer, err := i.tar([]file{{binaryPath, binary, 0o755}})
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(layer); err != nil {
		return nil, fmt.Errorf("cannot pack layer: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("cannot pack layer: %w", err)
	}
	config, err := i.json("application/vnd.oci.image.config.v1+json", object{
		"created": i.created.Format(time.RFC3339), "architecture": arch, "os": "linux",
		"config": object{
			"User": user, "Entrypoint": []string{"/" + binaryPath}, "WorkingDir": "/",
			"Env":          []string{"MIRRORGATE_LISTEN=0.0.0.0:12345"},
			"ExposedPorts": object{"12345/tcp": object{}, "12346/tcp": object{}},
			"StopSignal":   "SIGTERM",
			"Labels":       object{"org.opencontainers.image.title": "mirrorgate", "org.opencontainers.image.version": i.version},
		},
		"rootfs":  object{"type": "layers", "diff_ids": []string{"sha256:" + digest(layer)}},
		"history": []object{{"created": i.created.Format(time.RFC3339), "created_by": "mirrorgate " + i.version}},
	})
	if err != nil {
		return nil, err
	}
	return i.json("application/vnd.oci.image.manifest.v1+json", object{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": config, "layers": []object{i.blob("application/vnd.oci.image.layer.v1.tar+gzip", packed.Bytes())},
	})
}

// json adds a value as a blob.
func (i *image) json(mediaType string, value object) (object, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("cannot write %s: %w", mediaType, err)
	}
	return i.blob(mediaType, text), nil
}

// blob adds a blob and returns its descriptor.
func (i *image) blob(mediaType string, content []byte) object {
	sum := digest(content)
	if i.blobs[sum] == nil {
		i.blobs[sum] = content
		i.order = append(i.order, sum)
	}
	return object{"mediaType": mediaType, "digest": "sha256:" + sum, "size": len(content)}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

type file struct {
	name    string
	content []byte
	mode    int64
}

// tar packs files, each with the folders above it, all of the image's time.
func (i *image) tar(files []file) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	made := map[string]bool{}
	for _, f := range files {
		for at, c := range f.name {
			if dir := f.name[:at] + "/"; c == '/' && !made[dir] {
				made[dir] = true
				if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755, ModTime: i.created}); err != nil {
					return nil, fmt.Errorf("cannot pack %s: %w", dir, err)
				}
			}
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.content)), ModTime: i.created}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("cannot pack %s: %w", f.name, err)
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, fmt.Errorf("cannot pack %s: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("cannot pack: %w", err)
	}
	return b.Bytes(), nil
}
