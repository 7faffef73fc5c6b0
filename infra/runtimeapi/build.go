package runtimeapi

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// BuildFlags returns the flags with which every function is deployed (performance.md, "Build flags").
func BuildFlags() []string {
	return []string{"-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w -buildid="}
}

// Build compiles the command with an import path of this module to the file out, for this machine's architecture. Extra
// arguments precede the import path.
func Build(ctx context.Context, importPath, out string, extra ...string) error {
	args := append([]string{"build", "-o", out}, BuildFlags()...)
	cmd := exec.CommandContext(ctx, "go", append(append(args, extra...), importPath)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("runtimeapi: building %s: %w\n%s", importPath, err, text)
	}
	return nil
}
