# Everything a newcomer needs: `make demo` shows it, `make test` checks it.
BIN := .venv/bin

# What speaks to the database itself; views do so through services.
STORING := tests/survey/models tests/survey/services tests/survey/test_db.py \
	tests/survey/test_jobs.py tests/survey/test_mail.py tests/survey/test_migrations.py \
	tests/survey/test_moving.py

.PHONY: demo test oldest attack bench load mutants format messages pictures docs

demo: ## Show the whole way on invented people; ONCE=1 ends after the PDF
	@.ci/setup run
	@$(BIN)/preview360 demo $(if $(ONCE),--once)

test: ## Check format, lint, types, import contracts, and run all tests
	@.ci/setup test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist worksteal

oldest: ## Run the tests of what is stored with the oldest SQLAlchemy that is allowed
	@.ci/setup test
	@.ci/setup oldest
	.venv-oldest/bin/pytest -n auto --dist worksteal $(STORING)

attack: ## Attack many rounds (ROUNDS=1000 and more) and write the table in docs/security.md
	@.ci/setup test
	ROUNDS=$(or $(ROUNDS),1000) ATTACK_TABLE=docs/security.md $(BIN)/pytest tests/attacks

bench: ## Measure what previews and pages cost, as ratios, and write the table in docs/performance.md
	@.ci/setup test
	BENCH_PAGE=1 $(BIN)/pytest tests/benchmarks/bench_*.py -q --benchmark-disable-gc -p no:xdist

load: ## Let raters answer through HTTP with 100 to 10,000 rounds stored, and write docs/performance.md
	@.ci/setup test
	$(BIN)/python -m tests.load

mutants: ## Change sealing, closing and partition line by line; at least 90 % must be noticed
	@.ci/setup test
	$(BIN)/python -m tests.mutants

format: ## Bring the code into shape
	@.ci/setup test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m questionnaires.schema
	$(BIN)/python -m reports.schema
	$(BIN)/preview360 settings --markdown > docs/settings.md

messages: ## Bring new messages of code and templates into the catalogues of all languages
	@.ci/setup test
	$(BIN)/python -m tests.messages

docs: ## Build the documentation as a site, into site/
	@.ci/setup test
	$(BIN)/zensical build --strict --clean

pictures: ## Make the README's pictures anew
	@.ci/setup test
	$(BIN)/python -m tests.pictures
