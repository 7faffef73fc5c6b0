package main

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

const committed = "../../shared/license/testdata/vectors.json"

func TestCommittedPackIsCurrent(t *testing.T) {
	want, err := marshal(newPack())
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("vectors.json is not what the command writes; run: go run ./infra/vectors")
	}
}

// TestJava8VerifierPassesThePack shows that the README and the pack are enough to verify keys elsewhere.
func TestJava8VerifierPassesThePack(t *testing.T) {
	javac, err := exec.LookPath("javac")
	if err != nil {
		t.Skip("no JDK: javac is not on PATH")
	}
	classes := t.TempDir()
	// --release 8 also holds the code to the classes that Java 8 had; a JDK of 8 itself does not know the option.
	compile := exec.Command(javac, "--release", "8", "-Xlint:all,-options", "-Werror", "-d", classes,
		"java/Verifier.java", "java/Vectors.java", "java/Json.java")
	if out, err := compile.CombinedOutput(); bytes.Contains(out, []byte("release version 8 not supported")) ||
		bytes.Contains(out, []byte("invalid flag")) {
		t.Skipf("this JDK does not compile for Java 8: %s", out)
	} else if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command("java", "-cp", classes, "Vectors", committed).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}
