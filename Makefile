# Every verb that this repository knows. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help build test quickstart quickstart-base generate verify components bench publish images clean

TAG ?= 0.1.0

help: ## List the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

build: ## Build everything
	dotnet build Operator.sln

test: ## Run all tests; says what it skipped and why
	dotnet test Operator.sln

quickstart: ## Train and serve the quickstart's adapter on this machine
	dotnet run -c Release --project operator/Operator -- local samples/quickstart

quickstart-base: ## Write the quickstart's texts anew and train its base model on them (samples/quickstart/base)
	dotnet run samples/quickstart/base/MakeTexts.cs -- samples/quickstart
	dotnet build -c Release trainer/Trainer
	dotnet run -c Release --no-build --project trainer/Trainer -- tokenizer --data samples/quickstart/base/corpus.jsonl --vocabulary 1024 \
	  --special '<|endoftext|>' '<|im_start|>' '<|im_end|>' --output samples/quickstart/base/tokenizer.json
	rm -rf samples/quickstart/model
	dotnet run -c Release --no-build --project trainer/Trainer -- train --job samples/quickstart/base/job.json --no-http

generate: ## Write CRDs, RBAC, the operator's manifests and the API reference anew from the C# records, and docs/local-api.md from its tests
	dotnet run -c Release --project operator/Operator -- generate
	dotnet run -c Release --project tests/Conformance -- page

verify: generate ## Generate, then fail when anything differs from what is committed
	@git --no-pager diff --exit-code -- crds charts docs || { echo "generated files differ from the committed ones: run 'make generate' and commit"; exit 1; }
	@test -z "$$(git status --porcelain -- crds charts docs)" || { git status --short -- crds charts docs; echo "generated files are not committed"; exit 1; }
	@echo "generated files are up to date"

components: ## Fetch into artifacts/components what some tests and a bench use: kubectl 1.29 to 1.33, helm, s3rver, docker-registry, tokenizers for Node
	eng/components.sh

bench: ## List the benchmarks
	dotnet run -c Release --project tests/Benchmarks -- list

publish: ## Publish operator, trainer and server into artifacts/publish
	dotnet publish operator/Operator -c Release -o artifacts/publish/operator
	dotnet publish trainer/Trainer -c Release -o artifacts/publish/trainer
	dotnet publish trainer/Server -c Release -o artifacts/publish/server

images: ## Build the images IMAGES/graft-operator:TAG, graft-trainer and graft-server with docker, from what `make publish` writes
	@test -n "$(IMAGES)" || { echo "make images needs IMAGES, as: make images IMAGES=registry.example.com/me TAG=1"; exit 1; }
	$(MAKE) publish
	for program in operator trainer server; do \
	  docker build -f eng/images/$$program.Dockerfile -t $(IMAGES)/graft-$$program:$(TAG) artifacts/publish/$$program || exit 1; \
	done

clean: ## Remove what was built
	rm -rf artifacts .graft
